"""Hop groups and adjacency, against breadth-first search and loops."""

import numpy as np
import pytest

from skelgnn_tf.graph import hop_groups, normalize_adjacency
from skelgnn_tf.skeletons import ALL, H36M_17, H36M_17_LCN, NTU_25
from support import oracles


@pytest.mark.parametrize("skeleton", ALL.values(), ids=ALL)
@pytest.mark.parametrize(("short_hops", "max_hops"), [(0, 0), (0, 3), (1, 2), (2, 6), (5, 7)])
def test_hop_groups_are_the_pairs_that_many_steps_apart(skeleton, short_hops, max_hops):
    groups, steps = hop_groups(skeleton, short_hops, max_hops), oracles.hops(skeleton)
    assert groups.shape == (1 + max_hops - short_hops, skeleton.num_joints, skeleton.num_joints)
    assert groups.dtype == bool
    for i in range(skeleton.num_joints):
        for j in range(skeleton.num_joints):
            inside = [k for k in range(len(groups)) if groups[k, i, j]]
            expected = [] if steps[i, j] > max_hops else [max(0, steps[i, j] - short_hops)]
            assert inside == expected


def test_the_furthest_hops_are_those_of_the_paper():
    assert oracles.hops(H36M_17).max() == 8
    assert oracles.hops(H36M_17_LCN).max() == 6
    assert oracles.hops(NTU_25).max() == 12
    # Nothing is left for a group past the furthest hop, and nothing is lost before it.
    assert not hop_groups(H36M_17_LCN, 1, 7)[-1].any()
    assert hop_groups(H36M_17_LCN, 1, 6).any(axis=0).all()


def test_lcn_edges_bring_the_hips_and_shoulders_next_to_the_spine():
    plain, extra = (hop_groups(s, 1, 1)[0] for s in (H36M_17, H36M_17_LCN))
    spine = H36M_17.index("spine")
    new = {tuple(pair) for pair in np.argwhere(extra & ~plain)}
    ends = [H36M_17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "shoulder")]
    assert new == {(end, spine) for end in ends} | {(spine, end) for end in ends}
    assert not (plain & ~extra).any()


@pytest.mark.parametrize(("short_hops", "max_hops"), [(-1, 2), (2, 1), (0, -1)])
def test_hops_out_of_order_are_refused_with_both_numbers(short_hops, max_hops):
    with pytest.raises(ValueError, match=f"short_hops={short_hops}, max_hops={max_hops}"):
        hop_groups(H36M_17, short_hops, max_hops)


@pytest.mark.parametrize("skeleton", [H36M_17, H36M_17_LCN, NTU_25], ids=lambda s: s.name)
def test_adjacency_is_divided_by_the_roots_of_both_degrees(skeleton):
    groups = hop_groups(skeleton, 1, 9)
    adjacency = normalize_adjacency(groups)
    np.testing.assert_allclose(adjacency, [oracles.normalized(group) for group in groups], atol=1e-6)
    assert adjacency.dtype == np.float32
    # A symmetrically normalized graph never makes a signal longer.
    assert np.abs(np.linalg.eigvalsh(adjacency.astype(float))).max() < 1 + 1e-5


def test_a_joint_without_neighbors_gets_zeros_and_no_nan():
    lonely = np.zeros((3, 3), bool)
    lonely[0, 1] = lonely[1, 0] = True
    np.testing.assert_array_equal(normalize_adjacency(lonely), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
