# English, translated from vi.ftl. Both files have the same keys.

## Pages
page-chair = Chair's desk
page-site = Site
page-observer = Observer
page-stage = Big screen
title-speaking = { $site } is speaking
title-paragraph = Paragraph { $n }
role-chair = Chair
role-secretary = Secretary
role-moderator = Site moderator
role-technician = Technician
role-observer = Observer
role-stage = Big screen
standby-machine = standby machine

## Entering, waiting, ending
joining = Joining the conference…
joining-late = The server cannot be reached yet. The page keeps trying; check the network cable.
try-now = Try now

## Link
link = Link
own-link = This machine's link
link-none = None
link-weak = Weak
link-fair = Fair
link-good = Good
lost-control = Control connection lost
lost-media = Reconnecting. Picture and sound may stand still, figures below may be old.
saved-offline = Kept on this machine; sent by itself once connected.
lost-trying = Reconnecting. Figures below may be old.
server-stopping = The server is about to restart. The page reconnects by itself; nothing to do.
reconnecting = Reconnecting
offline-order = Not connected: this order was not sent. Press again once connected.
unknown-order = Not known whether the order was carried out: look at the present state.
sound-on = Sound: on
sound-off = Sound: off
sound-blocked = Click once for sound

## States of a site
state-speaking = Speaking
state-live = Microphone open
state-held = Turn held
state-deck = On deck
state-queued = Waiting
state-lost = Link lost
state-absent = Not connected
state-weak = Weak
state-ready = Ready
queued-place = Waiting · no. { $n }
on-standby = Standby machine
sites-count = { $n } sites
linked-count = { $n } connected
lost-link = lost its link

## Speeches
speaking = SPEAKING
nobody-speaks = No site is speaking
hall-open = HALL MICROPHONE OPEN
turn-running = Left
turn-last-minute = Last minute
turn-last-seconds = Almost over
turn-over = Over time
turn-paused = Paused
turn-held = Turn held
turn-muted = Microphone closed
turn-clock-label = { $word } { $left } of { $of }
seconds-left = { $n } seconds left
speech-paper = Prepared paper
speech-contribution = Contribution
speech-reply = Reply
speech-response = Drafter's response
speech-question = Question
speech-point_of_order = Point of order
speech-directing = Directing speech
speech-conclusion = Conclusion
draft-paragraph = { $draft }, paragraph { $n }
programme = Programme
programme-picture = Programme picture: { $site }
no-programme = No programme picture yet
no-picture = No picture
picture-from = Picture from { $site }
own-picture = This site's picture

## Agenda
agenda = Agenda
item-done = done
agenda-done = The agenda is done
item-of = Item { $n }/{ $of }
no-item = no item yet

## Chair's desk
list-is-closed = closed
number = Number
end-turn = End turn
pause = Pause
big-screen = Big screen
layout-grid = Grid of sites
layout-speaker = Speaker

## Site desk
list-empty = No site is on the list
waiting-sites = Waiting: <b>{ $n }</b>
waiting-for-chair = Waiting for the chair
withdraw = Withdraw request
cancel = Cancel
request-withdrawn = Request withdrawn
delegate = Speaker
topic = Topic
paragraph = Paragraph
you = (you)
next-up = Next
microphone-open = Microphone open
microphone-closed = This site's microphone is closed
microphone-ready = Microphone ready, not heard
comment-on-draft = Comment on a draft

## Green room
greenroom = Device check
microphone-level = Microphone level
opening-device = Opening…
try-devices = Reopen devices
rtt = Round trip
server = Server
camera-refused = The browser does not allow the camera
camera-missing = No camera found
camera-busy = The camera is used by another program
camera-insecure = The page is not secure, so the browser locks the camera
camera-other = No picture yet
microphone-refused = The browser does not allow the microphone
microphone-missing = No microphone found
microphone-busy = The microphone is used by another program
microphone-insecure = The page is not secure, so the browser locks the microphone
microphone-other = No microphone yet
role = Role
now = Now

## Drafts and comments
drafts = Drafts
comment-taken = The server has recorded the comment.

## Technician
sites = Sites
site = Site
seats = Links handed out

## Observer
back = Back
close = Close

## The lists of values
role-deputy = Deputy chair
layout-waiting = Waiting screen
layout-document = Draft
layout-presentation = Presentation
layout-notice = Notice
layout-blank = Blank
prompt-near_microphone = Nearer to the microphone
prompt-slower = Speak more slowly
prompt-one_minute_left = One minute left
prompt-prepare = Prepare to speak
prompt-need_help = Needs help
prompt-cannot_hear = Cannot hear
prompt-cannot_see = Cannot see

## Chair's desk: calling, undo, priority
page-deputy = Deputy's desk
pass-over = Pass over
call-next-site = Call the next site
undo = Undo
priority-held = The chair holds priority
turn-interrupted = Interrupted
turn-silenced = Silenced

## Site desk: ready, roll call, prompts
present-of = { $n } of { $of } delegates present
speakers-list = List of speakers
roll-call = Roll call
why-staged = Staged to be called
why-chair = Placed by the chair
why-precedence = Comes before by kind
why-arrival = In order of arrival
why-round = The site's turn no. { $n }
why-least_time = Time counted: { $time }
asks-minutes = asks for { $n } min
row-unlinked = No link, passed over
why-document = In the draft's order
about-speech = about the speech of { $site }
roll-answer-words = “Site { $site } is present and reports.”
presented = Presented by { $label }
at-item = at item { $n }
