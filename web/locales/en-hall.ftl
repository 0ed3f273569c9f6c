hall-title = Register a speaker in the hall
hall-closed = The list is closed: only points of order are taken.
hall-no-item = Speakers can be registered once an item has begun.
hall-waiting = Requests of the hall · { $n }
hall-withdraw-of = Withdraw request: { $text }
hall-done = Put on the list.
