"""Sites of the mobile ion and its jumps between them."""

from mlff.analysis.sites.hops import HopAccumulator
from mlff.analysis.sites.result import Hops, SiteType, activation_free_energy, correlation_factor
from mlff.analysis.sites.site_search import find_sites
from mlff.analysis.sites.sites import Sites, sites_in

__all__ = ["HopAccumulator", "Hops", "SiteType", "Sites", "activation_free_energy", "correlation_factor", "find_sites", "sites_in"]
