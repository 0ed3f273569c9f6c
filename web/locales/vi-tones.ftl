tones-what = Chuông báo đăng ký mới và báo sắp hết thời lượng
tones-normal = Chuông: vừa
tones-soft = Chuông: nhỏ
tones-off = Chuông: tắt
