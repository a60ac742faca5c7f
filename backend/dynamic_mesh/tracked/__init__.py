"""One mesh for all time: a template that sparse nodes carry along, fitted to the footage from rigid
to free.
"""
