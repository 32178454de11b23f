

quote " and \ 373J


</script>391
a