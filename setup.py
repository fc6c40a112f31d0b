from setuptools import find_packages, setup

setup(
    name="skelgnn-tf",
    version="0.1.0",
    packages=[*find_packages(include=["skelgnn_tf", "skelgnn_tf.*"]), "skelgnn_tf.training", "skelgnn_tf.export"],
    package_dir={"skelgnn_tf.training": "training", "skelgnn_tf.export": "export"},
    entry_points={"console_scripts": ["skelgnn-tf = skelgnn_tf.cli:main"]},
)
