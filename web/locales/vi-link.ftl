weak-link-fewer_tiles = Đường truyền yếu: đã giảm hình các điểm cầu, âm thanh vẫn giữ.
weak-link-smaller_programme = Đường truyền yếu: đã giảm cả hình phát chung, âm thanh vẫn giữ.
weak-link-no_presentation = Đường truyền yếu: không hiện được trình chiếu.
weak-link-sound_only = Đường truyền rất yếu: đã tắt hình, âm thanh vẫn giữ.
weak-link-control_only = Đường truyền rất yếu: tạm mất hình và tiếng, vẫn đăng ký được.
weak-link-nothing = Đường truyền rất yếu: tạm mất hình và tiếng.
