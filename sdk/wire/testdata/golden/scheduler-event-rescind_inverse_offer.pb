R

</script>167