"""Jobs as Blender sees them: a folder and a child process each, pumped by one timer."""
