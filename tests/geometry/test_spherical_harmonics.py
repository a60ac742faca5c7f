from backend.geometry import spherical_harmonics
def test_x(): assert spherical_harmonics
