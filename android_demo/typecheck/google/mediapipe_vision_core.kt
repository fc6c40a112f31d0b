// Written from https://ai.google.dev/edge/api/mediapipe/java/com/google/mediapipe/tasks/vision/core/RunningMode
package com.google.mediapipe.tasks.vision.core

enum class RunningMode { IMAGE, VIDEO, LIVE_STREAM }
