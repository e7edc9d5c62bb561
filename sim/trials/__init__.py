"""Trials: how often an estimator names the author, over very many runs in compiled code.

``trial`` is what is tried and ``spread`` tries it. Each other module measures one kind of trial: runs on infinite
``trees``, what a ``first_spy`` sees, estimators that are ``asked`` for weights, and flows of ``onions``; ``figures`` is
what they share, and ``flaws`` what is refused.
"""
