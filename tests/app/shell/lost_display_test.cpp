// A display that goes away under the window: a server speaks X11 as far as the handshake and then hangs up.
#include "tests/support/environment.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

// The numbers of X11's connection setup, little-endian.
class Message {
 public:
  Message& u8(std::uint32_t value) { return put(value, 1); }
  Message& u16(std::uint32_t value) { return put(value, 2); }
  Message& u32(std::uint32_t value) { return put(value, 4); }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  Message& put(std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  std::vector<std::uint8_t> bytes_;
};

// "Success", one pixmap format and one screen of 640 x 480 with one visual ("X Window System Protocol", section 8).
std::vector<std::uint8_t> accepted() {
  Message body;
  body.u32(0).u32(0x200000).u32(0x1fffff).u32(0);  // release, resource ids, motion buffer
  body.u16(0).u16(65535).u8(1).u8(1).u8(0).u8(0).u8(32).u8(32).u8(8).u8(255).u32(0);  // no vendor, 1 screen, 1 format
  body.u8(24).u8(32).u8(32).u8(0).u32(0);                                             // depth, bits per pixel, padding
  body.u32(1).u32(2).u32(0xffffff).u32(0).u32(0);  // root, colour map, white, black, mask
  body.u16(640).u16(480).u16(160).u16(120).u16(1).u16(1).u32(3).u8(0).u8(0).u8(24).u8(1);  // sizes, visual, depths
  body.u8(24).u8(0).u16(1).u32(0);                                                         // depth with one visual
  body.u32(3).u8(4).u8(8).u16(256).u32(0xff0000).u32(0xff00).u32(0xff).u32(0);             // true colour
  Message head;
  head.u8(1).u8(0).u16(11).u16(0).u16(static_cast<std::uint32_t>(body.bytes().size() / 4));
  std::vector<std::uint8_t> all = head.bytes();
  all.insert(all.end(), body.bytes().begin(), body.bytes().end());
  return all;
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int descriptor() const { return descriptor_; }
  bool readable() const {
    pollfd wanted{descriptor_, POLLIN, 0};
    return ::poll(&wanted, 1, 20'000) == 1;
  }

 private:
  int descriptor_;
};

// Takes one client, answers its handshake, waits for its first request and hangs up.
void serve(const Socket& listening) {
  if (!listening.readable()) return;
  const Socket client(::accept(listening.descriptor(), nullptr, nullptr));
  std::array<std::uint8_t, 4096> request{};
  if (!client.readable() || ::recv(client.descriptor(), request.data(), request.size(), 0) <= 0) return;
  const std::vector<std::uint8_t> answer = accepted();
  if (::send(client.descriptor(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  if (client.readable()) static_cast<void>(::recv(client.descriptor(), request.data(), request.size(), 0));
}

// The number of the first display whose port is free; -1: none.
int listen_as_display(const Socket& socket) {
  for (int display = 900; display < 1000; ++display) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(6000 + display));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return ::listen(socket.descriptor(), 1) == 0 ? display : -1;
  }
  return -1;
}

}  // namespace

TEST_CASE("a lost X server is a failure of the system: exit code 3 and a message") {
  const Socket listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int display = listen_as_display(listening);
  REQUIRE(display >= 0);
  const tests::Environment variable("DISPLAY", "127.0.0.1:" + std::to_string(display));
  std::jthread server([&] { serve(listening); });
  const auto ran = tests::run_program({"gui"});
  CAPTURE(ran.err);
  CHECK(ran.exit_code == 3);
  CHECK(ran.err.find("X server is lost") != std::string::npos);
}
