import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
DOCS = ["mkdocs>=1.6.1", "mkdocstrings[python]>=1.0.6"]

# Lower bounds: the tests passed with exactly these versions on Python 3.11 (what they bring in turn was left to pip).
setup(
    name="skelgnn-tf",
    version=re.search(r'__version__ = "(.+)"', (ROOT / "skelgnn_tf" / "__init__.py").read_text(encoding="utf-8"))[1],
    description="Skeletal graph neural networks for hard 3D poses: 2D keypoints to 3D poses, actions and repetitions",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["skelgnn_tf", "skelgnn_tf.*"]),
        *("skelgnn_tf." + name for name in find_packages(include=["training", "training.*", "export", "export.*"])),
    ],
    package_dir={"skelgnn_tf.training": "training", "skelgnn_tf.export": "export"},
    package_data={
        "skelgnn_tf": ["presets/*/*", "motion/*.toml", "rendering/*.html", "py.typed"],
        "skelgnn_tf.training": ["recipes/*.toml"],
    },
    entry_points={"console_scripts": ["skelgnn-tf = skelgnn_tf.cli.main:main"]},
    install_requires=[
        "ai-edge-litert>=1.3",
        "av>=14.0",
        "click>=8.2",
        "h5py>=3.11",
        "keras>=3.10,<4",
        "matplotlib>=3.9",
        "numpy>=2.0",
        "onnxruntime>=1.19.2",
        "pillow>=10.1",
        "platformdirs>=4.2",
        "pooch>=1.8",
        "rich>=13.0",
        "rich-click>=1.9",
        "scipy>=1.15",
        # TensorFlow 2.21 no longer brings it, and tf.summary (the TensorBoard logs) does not write without it.
        "tensorboard>=2.19",
        "tensorflow>=2.19",
        "tensorflow-model-optimization>=0.8.1",
        "tf2onnx>=1.17",
        "tomlkit>=0.13",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.19"],
        # For export --coreml.
        "coreml": ["coremltools>=9.0"],
        # What `make docs` builds the pages of docs/ with; "dev" has them too, so that one environment does everything.
        "docs": DOCS,
        # jax: a model trained on TensorFlow must run on another backend. setuptools: a test builds the wheel. pybvh,
        # trc-data-reader: others must read what we write.
        "dev": [
            *DOCS,
            "hypothesis>=6.100",
            "jax>=0.4.34",
            "mypy>=1.15",
            "pybvh>=0.9",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "ruff>=0.12",
            "setuptools>=77",
            "trc-data-reader>=0.4.1",
        ],
    },
)
