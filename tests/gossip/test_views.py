"""Views: the last report of each friend, for a day."""

from rumor.gossip.events import FriendId
from rumor.gossip.views import DIGEST_EPOCHS_MAX, Views

ONE, OTHER = FriendId(b"one"), FriendId(b"other")
VIEW, OTHER_VIEW = (b"ring", b"relays"), (b"ring", b"others")


def test_a_friend_has_one_report_and_it_keeps_for_a_day() -> None:
    views = Views()
    views.report(ONE, 10, OTHER_VIEW)
    views.report(ONE, 11, VIEW)
    views.report(OTHER, 12, VIEW)
    assert views.current({ONE, OTHER}, 12) == [VIEW, VIEW]
    assert views.current({ONE, OTHER}, 11 + DIGEST_EPOCHS_MAX) == [VIEW, VIEW]
    assert views.current({ONE, OTHER}, 12 + DIGEST_EPOCHS_MAX) == [VIEW]


def test_only_friends_count_and_who_is_forgotten_does_not() -> None:
    views = Views()
    views.report(ONE, 10, VIEW)
    assert views.current({OTHER}, 10) == []
    views.forget(ONE)
    views.forget(OTHER)
    assert views.current({ONE}, 10) == []


def test_a_friend_with_another_time_shares_no_view_until_it_reports_again() -> None:
    views = Views()
    views.report(ONE, 10, VIEW)
    views.astray(ONE, 10, 5)
    views.astray(OTHER, 11, -5)
    assert views.current({ONE, OTHER}, 11) == []
    assert (views.clocks({ONE, OTHER}, 11), views.clocks({ONE}, 11)) == ([5, -5], [5])
    assert views.clocks({ONE, OTHER}, 11 + DIGEST_EPOCHS_MAX) == [-5]
    views.report(ONE, 11, VIEW)
    views.forget(OTHER)
    assert (views.current({ONE, OTHER}, 11), views.clocks({ONE, OTHER}, 11)) == ([VIEW], [])
