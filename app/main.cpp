#include "app/commands/command_line.h"

#include <csignal>

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of the write, told as that
  return app::run_command_line(argc, argv);
}
