
	
ğ„187	r 

quote " and \ 205		UUUUUUÕ?