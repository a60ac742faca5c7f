"""The figures that the README and the issues quote: `make bench`, `make bench ROOM=cameras`."""
