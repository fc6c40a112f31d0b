package org.skelgnn.demo

import org.skelgnn.core.ActionStream
import org.skelgnn.core.Cue
import org.skelgnn.core.Cues
import org.skelgnn.core.FormMeter
import org.skelgnn.core.Keypoints
import org.skelgnn.core.OneEuroFilter
import org.skelgnn.core.Pose
import org.skelgnn.core.PoseStream
import org.skelgnn.core.RepetitionCounter
import org.skelgnn.core.RepetitionForm
import org.skelgnn.core.Repetitions

/**
 * All parts of `core` that remember frames: windows, filter, counter and form. A new one forgets everything.
 *
 * @param exercise Exercise to count; null to count the recognized one.
 */
class Tracker(models: Models, exercise: String? = null) {
    private val poseStream = PoseStream(models.lifter.contract, models.lifter.runner)
    private val actionStream = ActionStream(models.recognizer.contract, models.recognizer.runner)
    private val skeleton = models.lifter.contract.skeleton
    private val classes = models.recognizer.contract.classes
    private val filter = OneEuroFilter()
    private val cues = Cues(skeleton)
    private val meter = FormMeter(skeleton)
    private var form: RepetitionForm? = null
    private var counter = RepetitionCounter(skeleton, classes, exercise)

    /** What is known after a frame. */
    class Tracked(val pose: Pose, val repetitions: Repetitions, val cues: List<Cue>)

    /** Counts from 0, another exercise if it has changed. */
    fun restart(exercise: String?) {
        counter = RepetitionCounter(skeleton, classes, exercise)
    }

    /** Adds a frame. @param target Intended number of repetitions; null if there is none. */
    fun push(keypoints: Keypoints, target: Int?): Tracked {
        val nowS = keypoints.timeS
        val raw = poseStream.push(keypoints)
        // Also of a chosen exercise: it does not count while the recognizer finds that nobody exercises.
        val repetitions = counter.push(raw.jointsM, nowS, actionStream.push(keypoints))
        val guessM = filter.push(raw.guessM, nowS)
        val jointsM = DoubleArray(guessM.size) { if (raw.jointsM[it].isNaN()) Double.NaN else guessM[it] }
        meter.push(jointsM, nowS)
        val last = counter.held ?: counter.repetitions.lastOrNull()
        if (last != form?.repetition) form = last?.let(meter::of)
        val pose = Pose(jointsM, guessM, raw.confidence, raw.timeS)
        return Tracked(pose, repetitions, cues.of(raw.jointsM, repetitions, target, form))
    }
}
