from backend.geometry import conventions
def test_x(): assert conventions
