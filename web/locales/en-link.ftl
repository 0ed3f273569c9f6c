weak-link-fewer_tiles = Weak link: the sites' pictures are fewer or smaller, sound is kept.
weak-link-smaller_programme = Weak link: the programme is smaller too, sound is kept.
weak-link-no_presentation = Weak link: no room for the presentation.
weak-link-sound_only = Very weak link: no pictures, sound is kept.
weak-link-control_only = Very weak link: no picture and no sound for now; you can still ask for the floor.
weak-link-nothing = Very weak link: no picture and no sound for now.
