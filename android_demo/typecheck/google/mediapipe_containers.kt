// Written from
// https://ai.google.dev/edge/api/mediapipe/java/com/google/mediapipe/tasks/components/containers/NormalizedLandmark
package com.google.mediapipe.tasks.components.containers

import java.util.Optional

abstract class NormalizedLandmark {
    abstract fun x(): Float

    abstract fun y(): Float

    abstract fun visibility(): Optional<Float>

    abstract fun presence(): Optional<Float>
}

abstract class Connection {
    abstract fun start(): Int

    abstract fun end(): Int
}
