"""What generators that read words are told where a recipe has no prompt of its own."""

from collections.abc import Mapping

from haikei.show import Season, TimeOfDay

PROMPT = "hand-painted anime background, {place}, {season}, {time}, no people"

SEASON_PROMPTS: Mapping[str, str] = {
    Season.SPRING: "spring, fresh leaves, cherry blossom",
    Season.SUMMER: "summer, deep green leaves, cumulus clouds",
    Season.AUTUMN: "autumn, red and golden leaves",
    Season.WINTER: "winter, snow on roofs and ground",
}
TIME_PROMPTS: Mapping[str, str] = {
    TimeOfDay.MORNING: "early morning, soft low light",
    TimeOfDay.DAY: "midday, clear light",
    TimeOfDay.SUNSET: "sunset, warm orange light, long shadows",
    TimeOfDay.NIGHT: "night, moonlight, lit windows",
}
