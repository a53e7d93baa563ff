# main WORD ARGUMENT...
main() {
    case $1 in
    survey | refresh | upgrade | report | forget) "$@" ;;
    *) echo "nothing is called $1" >&2; return 64 ;;
    esac
}
