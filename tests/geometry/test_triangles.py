from backend.geometry import triangles
def test_x(): assert triangles
