"""What a region of a layout may be, and which way it faces: the words of every reading."""

from enum import IntEnum


class Kind(IntEnum):
    """What a region may be."""

    SKY = 0
    CLOUD = 1
    HILL = 2  #: a slope in the distance
    FOREST = 3  #: a slope whose outline is made of tree tops
    WATER = 4
    GRASS = 5
    PAVING = 6  #: quay, platform, street, stairs
    EARTH = 7  #: path, ballast, bare ground
    TREE = 8  #: foliage: crowns, bushes, hedges
    WALL = 9  #: of a building, seen from outside
    ROOF = 10
    WINDOW = 11
    DOOR = 12
    POST = 13  #: mast, pole, beam, pillar
    HULL = 14
    OTHER = 15  #: something solid that has no word of its own
    SAND = 16
    SNOW = 17
    ROCK = 18
    TRUNK = 19
    WOOD = 20  #: fences, boards, torii, piers
    RAIL = 21
    WIRE = 22
    VEHICLE = 23
    ROOM_WALL = 24  #: seen from inside
    FLOOR = 25
    CEILING = 26
    FURNITURE = 27
    LAMP = 28  #: a source of light
    FIGURE = 29  #: a person or cel area: left alone
    UNKNOWN = 30  #: not read: painted quietly, and reported


class Facing(IntEnum):
    """Which way the surface of a region faces."""

    NONE = 0  #: air, foliage, wires: no one surface
    UP = 1  #: ground, floor, water
    FRONT = 2
    LEFT = 3  #: its light side when the sun stands on the left
    RIGHT = 4
    ROOF = 5  #: upwards at a slant
    DOWN = 6  #: ceiling


AIR = (Kind.SKY, Kind.CLOUD)
NATURAL = (Kind.HILL, Kind.FOREST, Kind.GRASS, Kind.TREE)
GROUND = (Kind.GRASS, Kind.PAVING, Kind.EARTH, Kind.SAND, Kind.SNOW, Kind.FLOOR)
STANDING = (
    Kind.TREE,
    Kind.WALL,
    Kind.ROOF,
    Kind.POST,
    Kind.HULL,
    Kind.ROCK,
    Kind.TRUNK,
    Kind.WOOD,
    Kind.VEHICLE,
    Kind.FURNITURE,
)
INDOORS = (Kind.ROOM_WALL, Kind.FLOOR, Kind.CEILING, Kind.FURNITURE)
