"""How much of a dump on another machine has travelled: on every pane, and as it is now."""

from oopscope.dumps import Facts
from oopscope.sources.file import BytesSource
from tui.driving import lines, press, running
from tui.fake import Fake


async def test_the_counter_stays_fresh() -> None:
    source = BytesSource(b"")
    source.fetched = 3 << 20  # type: ignore[attr-defined]

    class Far(Fake):
        def facts(self, kernel: object) -> Facts:
            facts = super().facts(kernel)
            facts.sources = (source,)
            return facts

    async with running(Far()) as (app, pilot):
        assert "3.0M fetched" in lines(app)[-2]
        source.fetched = 40 << 20  # type: ignore[attr-defined]
        await press(app, pilot, "3", "down")
        assert lines(app)[-2].rstrip().endswith("3 blocked · 40M fetched")
    async with running() as (app, _):
        assert "fetched" not in lines(app)[-2]
