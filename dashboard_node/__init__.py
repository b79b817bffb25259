"""The node that decides: which plans start, which jobs are ready, who runs them."""
