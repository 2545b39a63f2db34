"""Every write of the rotas, by noun."""
