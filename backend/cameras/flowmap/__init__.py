"""FlowMap (Smith, Charatan, Tewari, Sitzmann 2024): depth, poses and lens of a video by gradient
descent on optical flow.

Conventions of the paper: xy runs 0..1 over the picture, cameras have OpenCV axes, the first camera
is the identity, focal lengths are in units of sqrt(height * width), the principal point is the
middle.
"""
