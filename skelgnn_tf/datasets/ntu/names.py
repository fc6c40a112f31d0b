"""Clip names of NTU RGB+D, its 120 actions, and the splits of its four benchmarks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_PATTERN = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")


class ClipName(NamedTuple):
    """The numbers in SsssCcccPpppRrrrAaaa, each from 1."""

    setup: int
    camera: int
    performer: int
    replication: int
    action: int


def parse_name(name: str) -> ClipName | None:
    """Returns the five numbers of a name like "S001C002P003R002A013", or None for any other text."""
    match = _PATTERN.fullmatch(name)
    return ClipName(*map(int, match.groups())) if match else None


def label_of(name: str) -> int:
    """Returns the label of a clip by its name: the number of the action minus one.

    Raises:
        ValueError: The name is not that of a clip.
    """
    numbers = parse_name(name)
    if numbers is None:
        raise ValueError(f"name must be like S001C002P003R002A013. Received: {name!r}.")
    return numbers.action - 1


# By number; the first 60 are those of NTU RGB+D. Source: README.md of github.com/shahroudy/NTURGB-D.
_ACTIONS = """
drink water
eat meal/snack
brushing teeth
brushing hair
drop
pickup
throw
sitting down
standing up (from sitting position)
clapping
reading
writing
tear up paper
wear jacket
take off jacket
wear a shoe
take off a shoe
wear on glasses
take off glasses
put on a hat/cap
take off a hat/cap
cheer up
hand waving
kicking something
put something inside pocket / take out something from pocket
hopping (one foot jumping)
jump up
make a phone call/answer phone
playing with phone/tablet
typing on a keyboard
pointing to something with finger
taking a selfie
check time (from watch)
rub two hands together
nod head/bow
shake head
wipe face
salute
put the palms together
cross hands in front (say stop)
sneeze/cough
staggering
falling
touch head (headache)
touch chest (stomachache/heart pain)
touch back (backache)
touch neck (neckache)
nausea or vomiting condition
use a fan (with hand or paper)/feeling warm
punching/slapping other person
kicking other person
pushing other person
pat on back of other person
point finger at the other person
hugging other person
giving something to other person
touch other person's pocket
handshaking
walking towards each other
walking apart from each other
put on headphone
take off headphone
shoot at the basket
bounce ball
tennis bat swing
juggling table tennis balls
hush (quiet)
flick hair
thumb up
thumb down
make ok sign
make victory sign
staple book
counting money
cutting nails
cutting paper (using scissors)
snapping fingers
open bottle
sniff (smell)
squat down
toss a coin
fold paper
ball up paper
play magic cube
apply cream on face
apply cream on hand back
put on bag
take off bag
put something into a bag
take something out of a bag
open a box
move heavy objects
shake fist
throw up cap/hat
hands up (both hands)
cross arms
arm circles
arm swings
running on the spot
butt kicks (kick backward)
cross toe touch
side kick
yawn
stretch oneself
blow nose
hit other person with something
wield knife towards other person
knock over other person (hit with body)
grab other person's stuff
shoot at other person with a gun
step on foot
high-five
cheers and drink
carry something with other person
take a photo of other person
follow other person
whisper in other person's ear
exchange things with other person
support somebody with one's hand (someone is sick, help him to walk)
finger-guessing game (playing rock-paper-scissors)
"""

#: "A001 drink water", ... by label. The label is the number of the action minus one.
CLASSES = tuple(f"A{number:03d} {action}" for number, action in enumerate(_ACTIONS.strip().splitlines(), 1))


@dataclass(frozen=True)
class Benchmark:
    """A split of the clips into training and test.

    Args:
        num_classes: Number of actions, from A001 on.
        by: The field of `ClipName` that decides about the split.
        train: Its values in the training split. All others are in the test split.
    """

    num_classes: int
    by: str
    train: frozenset[int]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by label."""
        return CLASSES[: self.num_classes]

    def split(self, name: ClipName) -> str | None:
        """Returns "train" or "test", or None if the benchmark does not have the action."""
        if not 1 <= name.action <= self.num_classes:
            return None
        return "train" if getattr(name, self.by) in self.train else "test"


_SUBJECTS_60 = frozenset({1, 2, 4, 5, 8, 9, *range(13, 20), 25, 27, 28, 31, 34, 35, 38})
_SUBJECTS_120 = _SUBJECTS_60 | {
    *(45, 46, 47, 49, 50, *range(52, 60), 70, 74, 78, *range(80, 87)),
    *(89, *range(91, 96), 97, 98, 100, 103),
}

#: Benchmarks by name. Source: the two papers of the data sets.
BENCHMARKS = {
    "ntu60-xsub": Benchmark(60, "performer", _SUBJECTS_60),
    "ntu60-xview": Benchmark(60, "camera", frozenset({2, 3})),
    "ntu120-xsub": Benchmark(120, "performer", _SUBJECTS_120),
    "ntu120-xset": Benchmark(120, "setup", frozenset(range(2, 33, 2))),
}
