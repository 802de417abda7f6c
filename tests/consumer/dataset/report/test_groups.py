from consumer.dataset.report.groups import Groups


def test_shares_of_what_was_planned_and_of_what_was_kept():
    groups = Groups()
    groups.take(["open"], ["open", "factual"], {"open": 2, "factual": 2})
    groups.take(["open"], [], {"open": 2, "factual": 2})
    factual, open_ = groups.each()
    assert (factual.name, factual.planned, factual.asked, factual.kept, factual.rejected) == ("factual", 4, 1, 0, 1)
    assert (open_.planned_share, open_.kept_share, open_.passed) == (0.5, 1.0, 0.666667)
    assert (groups.all().planned, groups.all().asked, groups.all().kept) == (8, 4, 2)


def test_what_came_stands_for_a_plan_that_there_is_not():
    groups = Groups()
    groups.take(["open", "open"], ["factual"], {})
    assert [(group.name, group.planned) for group in groups.each()] == [("factual", 1), ("open", 2)]


def test_types_come_in_their_order_and_what_is_nameless_is_unknown():
    groups = Groups()
    groups.take(["zh", "open", "factual", "", "en"], [])
    assert [group.name for group in groups.each()] == ["factual", "open", "unknown", "en", "zh"]


def test_shares_of_nothing_are_none():
    groups = Groups()
    assert groups.all().passed is None
    groups.take([], ["open"])
    assert groups.each()[0].kept_share is None
