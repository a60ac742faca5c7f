"""Result files to data-blocks and back."""
