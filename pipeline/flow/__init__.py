"""The order of the stages. The only folder that knows them all.

submissions -> segmented -> classified -> placed -> recalled -> matched --+--> routed -> tables
                   |                                                      |
                   +-------------------> sketches -> issues --------------+
"""

from pipeline.flow.batch import RouteStage, route_batch
from pipeline.flow.memory import open_memory
from pipeline.flow.progress import Progress
from pipeline.flow.routing import route
from pipeline.flow.training import train

__all__ = ["Progress", "RouteStage", "open_memory", "route", "route_batch", "train"]
