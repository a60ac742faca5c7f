"""Objects cut out of splats, clean, and what is left behind them closed. numpy only: the add-on
cuts while you watch.
"""
