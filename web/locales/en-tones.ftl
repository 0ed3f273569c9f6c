tones-what = Tones for a new request and for time running out
tones-normal = Tones: normal
tones-soft = Tones: soft
tones-off = Tones: off
