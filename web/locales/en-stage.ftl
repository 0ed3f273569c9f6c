## The wall's other layouts
priority-wall = The chair is speaking
page-of = Page { $n } of { $of }
speech-waits = Stands
no-paragraph-shown = No paragraph is chosen.
begins-soon = The conference begins soon
next-item-is = Next, item { $n }
roll-wall = Roll call
roll-of = { $n } of { $of }
roll-call-wall = “Site { $site }, please report who is present.”
roll-count-wall = Present { $n } of { $of }
roll-no-count-wall = Waiting for the headcount
roll-sum-wall = In all: { $n } of { $of }
roll-now-wall = being called
queued-wall = WAITING · NO. { $n }
nobody-waits = Nobody is waiting
sound-blocked-wall = No sound yet: press any key at this machine
presentation-awaited = Waiting for the presented screen…
