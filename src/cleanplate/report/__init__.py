"""A learned scene told in one page of HTML that can be mailed, printed and read offline."""

from cleanplate.report.report import write_report

__all__ = ["write_report"]
