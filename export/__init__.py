"""From a trained model to files for phones and servers: conversion, quantization, verification, benchmarks."""
