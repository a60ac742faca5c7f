"""What a drill found: a row of the table that all of them make."""

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Outcome:
    """`fault` is its number in ecosystem.md's list or in the issue, `tried` what was done."""

    fault: str
    tried: str
    times: int = 0
    slowest: float = 0.0  # seconds from the blow to the end of what must end
    failures: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """It was tried, and nothing went wrong."""
        return self.times > 0 and not self.failures

    def line(self) -> str:
        """For people."""
        verdict = "passed" if self.passed else f"FAILED: {'; '.join(self.failures)}"
        return f"{self.fault}: {self.tried}, {self.times} times, {self.slowest:.2f} s: {verdict}"
