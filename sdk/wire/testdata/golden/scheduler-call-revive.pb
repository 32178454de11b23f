


text 218z
𝄞236
</script>237