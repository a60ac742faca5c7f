"""Audio2Face-3D v2.3 of NVIDIA: a whole face by ear, with an emotion, from files of the user."""
