"""Finds, creates, checks and removes the compute environment. Blender's own Python never gets a
package.
"""
