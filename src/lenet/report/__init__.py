"""The paper's figures and tables with ours beside them: what to train, what to measure, one page."""
