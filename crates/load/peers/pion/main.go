// A small SFU on Pion, as its examples write one: a peer connection each way, a goroutine for each track that comes
// in, one WriteRTP for each that goes out. A peer of the benches, nothing else.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

type publisher struct {
	pc           *webrtc.PeerConnection
	video, audio *webrtc.TrackLocalStaticRTP
	ssrc         webrtc.SSRC
}

type sfu struct {
	sync.Mutex
	api         *webrtc.API
	voices      int
	publishers  map[int]*publisher
	subscribers map[int]*webrtc.PeerConnection
}

// Sites of a page, of which the first ones are heard.
const page = 13

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "HTTP")
	voices := flag.Int("voices", 4, "sites of a page whose sound is forwarded")
	flag.Parse()
	s := &sfu{voices: *voices, publishers: map[int]*publisher{}, subscribers: map[int]*webrtc.PeerConnection{}}
	settings := webrtc.SettingEngine{}
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		log.Fatal(err)
	}
	s.api = webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings))
	http.HandleFunc("/publish", s.serve(s.publish))
	http.HandleFunc("/subscribe", s.serve(s.subscribe))
	http.HandleFunc("/answer", s.serve(s.answer))
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func (s *sfu) serve(do func(site int, sdp string) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		site, err := strconv.Atoi(r.URL.Query().Get("site"))
		body, readErr := io.ReadAll(r.Body)
		if err != nil || readErr != nil {
			http.Error(w, "no site or no body", http.StatusBadRequest)
			return
		}
		answer, err := do(site, string(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, answer)
	}
}

func (s *sfu) publish(site int, sdp string) (string, error) {
	pc, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	stream := fmt.Sprintf("site%d", site)
	video, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", stream)
	if err != nil {
		return "", err
	}
	audio, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", stream)
	if err != nil {
		return "", err
	}
	p := &publisher{pc: pc, video: video, audio: audio}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		out := audio
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			out = video
			s.Lock()
			p.ssrc = track.SSRC()
			s.Unlock()
			go s.askForKeyFrames(p)
		}
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if err := out.WriteRTP(packet); err != nil && err != io.ErrClosedPipe {
				return
			}
		}
	})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return "", err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	s.Lock()
	s.publishers[site] = p
	s.Unlock()
	return gathered(pc, answer)
}

func (s *sfu) subscribe(site int, _ string) (string, error) {
	pc, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	s.Lock()
	defer s.Unlock()
	for other, p := range s.publishers {
		if other == site {
			continue
		}
		tracks := []*webrtc.TrackLocalStaticRTP{p.video}
		if other%page < s.voices {
			tracks = append(tracks, p.audio)
		}
		for _, track := range tracks {
			sender, err := pc.AddTrack(track)
			if err != nil {
				return "", err
			}
			go s.pass(sender, p)
		}
	}
	s.subscribers[site] = pc
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return gathered(pc, offer)
}

func (s *sfu) answer(site int, sdp string) (string, error) {
	s.Lock()
	pc := s.subscribers[site]
	s.Unlock()
	if pc == nil {
		return "", fmt.Errorf("site %d subscribed to nothing", site)
	}
	return "", pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}

// Passes a receiver's wish for a key frame on to the sender.
func (s *sfu) pass(sender *webrtc.RTPSender, p *publisher) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.askOnce(p)
			}
		}
	}
}

func (s *sfu) askOnce(p *publisher) {
	s.Lock()
	ssrc := p.ssrc
	s.Unlock()
	_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
}

func (s *sfu) askForKeyFrames(p *publisher) {
	for range time.Tick(3 * time.Second) {
		s.askOnce(p)
	}
}

func gathered(pc *webrtc.PeerConnection, description webrtc.SessionDescription) (string, error) {
	done := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(description); err != nil {
		return "", err
	}
	<-done
	return pc.LocalDescription().SDP, nil
}
