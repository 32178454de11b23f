

quote " and \ 156j 

</script>174

a		UUUUUUÕ?