// An image that crashes: an undefined instruction is all it consists of. Nothing is initialised, nothing is
// printed but what the board's fault handler says.
int main() {
  __builtin_trap();
}
