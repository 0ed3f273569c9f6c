quorate = Quorum reached
not-quorate = Quorum not reached
quorum-summoned = { $n } of { $of } delegates, { $most } needed ({ $count }%)
quorum-sites = { $n } of { $of } sites present, { $most } needed ({ $count }%)
