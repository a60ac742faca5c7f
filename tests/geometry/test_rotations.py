from backend.geometry import rotations
def test_x(): assert rotations
