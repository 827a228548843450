#include "app/panels/state_shader.h"

#include "app/panels/gl_context.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace app {

namespace {

constexpr int special_colours = 3;  // outside, unknown, not finite: behind the scale's

// One triangle over everything.
constexpr const char* vertex_source = R"(#version 330 core
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }
)";

// Values travel as their bits, so that nothing on the way takes NaN or a tiny number for something else.
constexpr const char* fragment_source = R"(#version 330 core
uniform usamplerBuffer cells;         // (H, P, N) of one layer after the other
uniform usamplerBuffer blocks;        // largest, rms: (L, H, rows, columns)
uniform isamplerBuffer slots;         // by layer: which of those in `cells` it is; -1: none
uniform isamplerBuffer across, down;  // by pixel: its first cell and the one behind its last, through all parts
uniform sampler2D colours;
uniform ivec3 shape;   // H, P, N
uniform ivec2 grid;    // rows and columns of blocks in a head; 0: there are none
uniform ivec2 choice;  // 0 signed, 1 largest, 2 rms; 1: logarithmic
uniform vec2 scale;    // limit; share of it below which a logarithmic scale is about linear
out vec4 colour;

const int entries = 513;
uint key = 0u;        // orders by magnitude: not a number above infinity above numbers, +x above -x
float squares = 0.0;  // of values over the limit
int count = 0;
bool unknown = false;

void see(uint bits, float root, int cells_of_it) {
  key = max(key, (bits << 1u) | ((bits >> 31u) ^ 1u));
  float share = root / scale.x;
  squares += share * share * float(cells_of_it);
  count += cells_of_it;
}

void see_cells(int first, ivec2 p, ivec2 n) {
  for (int i = p.x; i < p.y; ++i) {
    for (int j = n.x; j < n.y; ++j) {
      uint bits = texelFetch(cells, first + i * shape.z + j).r;
      see(bits, uintBitsToFloat(bits), 1);
    }
  }
}

int block_begin(int block, int parts, int of) { return block * of / parts; }
int block_of(int cell, int parts, int of) { return ((cell + 1) * parts - 1) / of; }

void see_blocks(int first, ivec2 p, ivec2 n) {
  int last_row = block_of(p.y - 1, grid.x, shape.y), last_column = block_of(n.y - 1, grid.y, shape.z);
  for (int r = block_of(p.x, grid.x, shape.y); r <= last_row; ++r) {
    int height = block_begin(r + 1, grid.x, shape.y) - block_begin(r, grid.x, shape.y);
    for (int c = block_of(n.x, grid.y, shape.z); c <= last_column; ++c) {
      int width = block_begin(c + 1, grid.y, shape.z) - block_begin(c, grid.y, shape.z);
      uvec2 bits = texelFetch(blocks, first + r * grid.y + c).rg;
      see(bits.r, uintBitsToFloat(bits.g), width * height);
    }
  }
}

void look(int layer, int head, ivec2 p, ivec2 n) {
  int slot = texelFetch(slots, layer).r;
  if (slot >= 0) {
    see_cells((slot * shape.x + head) * shape.y * shape.z, p, n);
  } else if (grid.x > 0) {
    see_blocks((layer * shape.x + head) * grid.x * grid.y, p, n);
  } else {
    unknown = true;
  }
}

int entry() {
  if (count == 0) return unknown ? entries + 1 : entries;
  uint bits = (key >> 1u) | (((key & 1u) ^ 1u) << 31u);
  if ((bits & 0x7F800000u) == 0x7F800000u) return entries + 2;
  float share = choice.x == 2 ? sqrt(squares / float(count)) : uintBitsToFloat(bits) / scale.x;
  if (choice.x == 1) share = abs(share);
  share = clamp(share, -1.0, 1.0);
  if (choice.y == 1) share = sign(share) * log(1.0 + abs(share) / scale.y) / log(1.0 + 1.0 / scale.y);
  return choice.x == 0 ? int(floor(share * 256.0 + 0.5)) + 256 : int(floor(share * 512.0 + 0.5));
}

void main() {
  ivec2 x = texelFetch(across, int(gl_FragCoord.x)).rg, y = texelFetch(down, int(gl_FragCoord.y)).rg;
  for (int top = y.x; top < y.y;) {
    int layer = top / shape.y, below = min(y.y, (layer + 1) * shape.y);
    for (int left = x.x; left < x.y;) {
      int head = left / shape.z, right = min(x.y, (head + 1) * shape.z);
      look(layer, head, ivec2(top, below) - layer * shape.y, ivec2(left, right) - head * shape.z);
      left = right;
    }
    top = below;
  }
  colour = texelFetch(colours, ivec2(entry(), 0), 0);
}
)";

enum Uniform : std::uint8_t { shape, grid, choice, scale };
// Texture units, in the order of this list; Dear ImGui's is the one before them.
constexpr std::array<const char*, 6> samplers = {"cells", "blocks", "slots", "across", "down", "colours"};

engine::Result<unsigned int> compile(unsigned int kind, const char* source) {
  const unsigned int made = glCreateShader(kind);
  glShaderSource(made, 1, &source, nullptr);
  glCompileShader(made);
  int good = 0;
  glGetShaderiv(made, GL_COMPILE_STATUS, &good);
  if (good != 0) return made;
  std::string log(1024, '\0');
  int length = 0;
  glGetShaderInfoLog(made, static_cast<int>(log.size()), &length, log.data());
  log.resize(static_cast<std::size_t>(std::max(0, length)));
  return engine::system_error("OpenGL refuses the shader of the state's picture: " + log);
}

int value_of(unsigned int name) {
  int value = 0;
  glGetIntegerv(name, &value);
  return value;
}

void switch_to(unsigned int capability, bool on) { (on ? glEnable : glDisable)(capability); }

}  // namespace

engine::Result<void> StateShader::begin() {
  if (context_ == gl_context_number() && program_ != 0) return {};
  context_ = gl_context_number();
  program_ = 0;
  cells_ = slots_ = across_ = down_ = {};
  blocks_ = {};
  slot_of_layer_.clear();
  state_of_slot_.clear();
  layer_of_slot_.clear();
  tiles_.reset();
  brought_ = {};
  shape_ = {};
  drawn_ = {};
  coloured_ = {};
  stale_ = true;
  const auto vertex = compile(GL_VERTEX_SHADER, vertex_source);
  if (!vertex) return tl::unexpected(vertex.error());
  const auto fragment = compile(GL_FRAGMENT_SHADER, fragment_source);
  if (!fragment) return tl::unexpected(fragment.error());
  const unsigned int program = glCreateProgram();
  glAttachShader(program, *vertex);
  glAttachShader(program, *fragment);
  glLinkProgram(program);
  int good = 0;
  glGetProgramiv(program, GL_LINK_STATUS, &good);
  if (good == 0) return engine::system_error("OpenGL cannot link the shader of the state's picture.");
  glDeleteShader(*vertex);
  glDeleteShader(*fragment);
  const int before = value_of(GL_CURRENT_PROGRAM);
  glUseProgram(program);
  for (std::size_t i = 0; i < samplers.size(); ++i)
    glUniform1i(glGetUniformLocation(program, samplers[i]), static_cast<int>(i) + 1);
  uniforms_[shape] = glGetUniformLocation(program, "shape");
  uniforms_[grid] = glGetUniformLocation(program, "grid");
  uniforms_[choice] = glGetUniformLocation(program, "choice");
  uniforms_[scale] = glGetUniformLocation(program, "scale");
  glUseProgram(static_cast<unsigned int>(before));
  glGenVertexArrays(1, &vertices_);
  glGenFramebuffers(1, &frame_);
  for (unsigned int* texture : {&picture_, &colours_}) {
    glGenTextures(1, texture);
    glBindTexture(GL_TEXTURE_2D, *texture);
    for (const unsigned int filter : {GL_TEXTURE_MIN_FILTER, GL_TEXTURE_MAG_FILTER})
      glTexParameteri(GL_TEXTURE_2D, filter, GL_NEAREST);
    for (const unsigned int wrap : {GL_TEXTURE_WRAP_S, GL_TEXTURE_WRAP_T})
      glTexParameteri(GL_TEXTURE_2D, wrap, GL_CLAMP_TO_EDGE);
  }
  program_ = program;
  // Buffers that CUDA knows are taken back while their context is there.
  when_gl_context_ends([alive = std::weak_ptr<StateShader*>(self_)] {
    if (const auto self = alive.lock()) (*self)->release();
  });
  return {};
}

void StateShader::release() {
  for (BlockBuffer& buffer : blocks_) buffer.shared.reset();
  tiles_.reset();
}

// New storage: who still draws from the old one keeps it.
void StateShader::make(Buffer& buffer, unsigned int format, std::size_t bytes, const void* data) {
  const bool fresh = buffer.buffer == 0;
  if (fresh) {
    glGenBuffers(1, &buffer.buffer);
    glGenTextures(1, &buffer.texture);
  }
  glBindBuffer(GL_TEXTURE_BUFFER, buffer.buffer);
  glBufferData(GL_TEXTURE_BUFFER, static_cast<std::ptrdiff_t>(bytes), data, GL_DYNAMIC_DRAW);
  if (fresh) {
    glBindTexture(GL_TEXTURE_BUFFER, buffer.texture);
    glTexBuffer(GL_TEXTURE_BUFFER, format, buffer.buffer);
  }
  buffer.bytes = bytes;
}

// The cells of the recorded layers that are in view: each layer has a slot, and only those go to the GPU whose cells are
// not what lies there.
void StateShader::bring_cells(const StateTexture& texture, const StateView& view) {
  const auto layers = static_cast<std::size_t>(texture.layers);
  const auto in_view = [&](std::size_t layer) {
    return texture.cells[layer] != nullptr && view.bottom > static_cast<double>(layer) &&
           view.top < static_cast<double>(layer + 1);
  };
  std::size_t needed = 0;
  for (std::size_t l = 0; l < layers; ++l) needed += in_view(l) ? 1 : 0;
  const std::size_t room = static_cast<std::size_t>(value_of(GL_MAX_TEXTURE_BUFFER_SIZE)) / layer_cells_;
  needed = std::min(needed, room);
  if (needed > layer_of_slot_.size()) {
    layer_of_slot_.assign(needed, -1);
    state_of_slot_.assign(needed, nullptr);
    make(cells_, GL_R32UI, sizeof(float) * layer_cells_ * needed, nullptr);
  }
  std::vector<int> slot_of_layer(layers, -1);
  for (std::size_t slot = 0; slot < layer_of_slot_.size(); ++slot) {
    int& layer = layer_of_slot_[slot];
    if (layer >= 0 && !in_view(static_cast<std::size_t>(layer))) layer = -1;
    if (layer >= 0) slot_of_layer[static_cast<std::size_t>(layer)] = static_cast<int>(slot);
  }
  std::size_t free = 0;
  for (std::size_t l = 0; l < layers; ++l) {
    if (!in_view(l)) continue;
    int& slot = slot_of_layer[l];
    bool there = slot >= 0;
    if (!there) {
      while (free < layer_of_slot_.size() && layer_of_slot_[free] >= 0) ++free;
      if (free == layer_of_slot_.size()) break;  // more than a buffer holds stay unknown
      slot = static_cast<int>(free);
      layer_of_slot_[free] = static_cast<int>(l);
    }
    const auto at = static_cast<std::size_t>(slot);
    there = there && texture.state != nullptr && state_of_slot_[at] == texture.state;
    if (there) continue;
    state_of_slot_[at] = texture.state;
    const std::size_t bytes = sizeof(float) * layer_cells_;
    glBindBuffer(GL_TEXTURE_BUFFER, cells_.buffer);
    glBufferSubData(GL_TEXTURE_BUFFER, static_cast<std::ptrdiff_t>(bytes * at), static_cast<std::ptrdiff_t>(bytes),
                    texture.cells[l]);
    stale_ = true;
  }
  if (cells_.buffer == 0) make(cells_, GL_R32UI, sizeof(float), nullptr);  // something must be bound
  if (slot_of_layer == slot_of_layer_) return;
  slot_of_layer_ = std::move(slot_of_layer);
  make(slots_, GL_R32I, sizeof(int) * layers, slot_of_layer_.data());
  stale_ = true;
}

engine::Result<void> StateShader::bring_blocks(const StateTexture& texture) {
  if (blocks_[0].buffer == 0)
    for (BlockBuffer& buffer : blocks_) make(buffer, GL_RG32UI, sizeof(kernels::StateTile), nullptr);
  if (texture.tiles == tiles_) return {};
  if (texture.tiles != nullptr && texture.tiles->on_device != nullptr) {
    behind_frame([alive = std::weak_ptr<StateShader*>(self_), tiles = texture.tiles] {
      if (const auto self = alive.lock()) (*self)->brought_ = (*self)->take(tiles);
    });
    return std::exchange(brought_, {});
  }
  stale_ = true;
  tiles_ = texture.tiles;
  if (tiles_ == nullptr) return {};
  blocks_now_ = (blocks_now_ + 1) % blocks_.size();
  BlockBuffer& buffer = blocks_[blocks_now_];
  buffer.shared.reset();
  make(buffer, GL_RG32UI, tiles_->bytes(), tiles_->tiles.data());
  return {};
}

engine::Result<void> StateShader::take(const std::shared_ptr<const engine::StateTiles>& tiles) {
  if (tiles == tiles_) return {};  // drawn twice in a frame
  const std::size_t next = (blocks_now_ + 1) % blocks_.size();
  BlockBuffer& buffer = blocks_[next];
  if (buffer.shared == nullptr || buffer.bytes < tiles->bytes()) {
    buffer.shared.reset();
    make(buffer, GL_RG32UI, tiles->bytes(), nullptr);
    auto shared = SharedBuffer::create(buffer.buffer);
    if (!shared) return tl::unexpected(shared.error());
    buffer.shared = std::move(*shared);
  }
  if (auto copied = buffer.shared->take(*tiles->on_device); !copied) return copied;
  blocks_now_ = next;
  tiles_ = tiles;
  stale_ = true;
  return {};
}

void StateShader::bring_pixels(const StateTexture& texture, const StatePicture& picture) {
  if (across_.buffer != 0 && picture.view == drawn_.view && picture.width == drawn_.width &&
      picture.height == drawn_.height) {
    return;
  }
  const auto bring = [](Buffer& buffer, const std::vector<PixelCells>& cells) {
    make(buffer, GL_RG32I, sizeof(PixelCells) * cells.size(), cells.data());
  };
  bring(across_, pixel_cells(picture.view.left, picture.view.right, picture.width, texture.heads, texture.d_state));
  bring(down_, pixel_cells(picture.view.top, picture.view.bottom, picture.height, texture.layers, texture.headdim));
}

void StateShader::bring_colours(const StateColours& colours) {
  if (colours == coloured_) return;
  coloured_ = colours;
  std::vector<ImU32> all(colours.scale.begin(), colours.scale.end());
  for (const ImU32 special : {colours.outside, colours.unknown, colours.not_finite}) all.push_back(special);
  glBindTexture(GL_TEXTURE_2D, colours_);
  glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, StateColours::entries + special_colours, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE,
               all.data());
  stale_ = true;
}

void StateShader::render(const StateTexture& texture, const StatePicture& picture) {
  const int frame_before = value_of(GL_DRAW_FRAMEBUFFER_BINDING), program_before = value_of(GL_CURRENT_PROGRAM);
  const int vertices_before = value_of(GL_VERTEX_ARRAY_BINDING);
  std::array<int, 4> viewport{};
  glGetIntegerv(GL_VIEWPORT, viewport.data());
  const bool blended = glIsEnabled(GL_BLEND) != 0, cut = glIsEnabled(GL_SCISSOR_TEST) != 0;
  glBindFramebuffer(GL_FRAMEBUFFER, frame_);
  if (picture.width != drawn_.width || picture.height != drawn_.height) {
    glBindTexture(GL_TEXTURE_2D, picture_);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, picture.width, picture.height, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, picture_, 0);
  }
  glViewport(0, 0, picture.width, picture.height);
  switch_to(GL_BLEND, false);
  switch_to(GL_SCISSOR_TEST, false);
  glUseProgram(program_);
  glUniform3i(uniforms_[shape], texture.heads, texture.headdim, texture.d_state);
  glUniform2i(uniforms_[grid], tiles_ ? tiles_->rows : 0, tiles_ ? tiles_->columns : 0);
  glUniform2i(uniforms_[choice], static_cast<int>(picture.quantity), picture.logarithmic ? 1 : 0);
  glUniform2f(uniforms_[scale], static_cast<float>(picture.limit), static_cast<float>(scale_linear_share));
  const std::array<unsigned int, 5> buffers = {cells_.texture, blocks_[blocks_now_].texture, slots_.texture,
                                               across_.texture, down_.texture};
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    glActiveTexture(GL_TEXTURE1 + static_cast<unsigned int>(i));
    glBindTexture(GL_TEXTURE_BUFFER, buffers[i]);
  }
  glActiveTexture(GL_TEXTURE1 + static_cast<unsigned int>(buffers.size()));
  glBindTexture(GL_TEXTURE_2D, colours_);
  glBindVertexArray(vertices_);
  glDrawArrays(GL_TRIANGLES, 0, 3);
  glActiveTexture(GL_TEXTURE0);
  glBindVertexArray(static_cast<unsigned int>(vertices_before));
  glUseProgram(static_cast<unsigned int>(program_before));
  glBindFramebuffer(GL_FRAMEBUFFER, static_cast<unsigned int>(frame_before));
  glViewport(viewport[0], viewport[1], viewport[2], viewport[3]);
  switch_to(GL_BLEND, blended);
  switch_to(GL_SCISSOR_TEST, cut);
}

engine::Result<void> StateShader::draw(const StateTexture& texture, const StatePicture& picture,
                                       const StateColours& colours) {
  const int texture_before = value_of(GL_TEXTURE_BINDING_2D);
  if (auto ready = begin(); !ready) return ready;
  const std::array<int, 4> now = {texture.layers, texture.heads, texture.headdim, texture.d_state};
  if (now != shape_) {
    shape_ = now;
    layer_cells_ = texture.cell_count() / static_cast<std::size_t>(texture.layers);
    layer_of_slot_.clear();
    slot_of_layer_.clear();
    drawn_.view = {0, 0, 0, 0};
    tiles_.reset();
    stale_ = true;
  }
  bring_cells(texture, picture.view);
  auto brought = bring_blocks(texture);
  bring_pixels(texture, picture);
  bring_colours(colours);
  if (stale_ || !(picture == drawn_)) render(texture, picture);
  drawn_ = picture;
  stale_ = false;
  glBindTexture(GL_TEXTURE_2D, static_cast<unsigned int>(texture_before));
  return brought;
}

std::vector<kernels::StateTile> StateShader::read_blocks(const engine::StateTiles& tiles) const {
  std::vector<kernels::StateTile> blocks;
  if (tiles_.get() != &tiles || context_ != gl_context_number()) return blocks;
  blocks.resize(tiles_->count);
  glBindBuffer(GL_TEXTURE_BUFFER, blocks_[blocks_now_].buffer);
  glGetBufferSubData(GL_TEXTURE_BUFFER, 0, static_cast<std::ptrdiff_t>(tiles_->bytes()), blocks.data());
  return blocks;
}

std::vector<ImU32> StateShader::read_pixels() const {
  std::vector<ImU32> pixels(static_cast<std::size_t>(drawn_.width) * static_cast<std::size_t>(drawn_.height));
  const int before = value_of(GL_TEXTURE_BINDING_2D);
  glBindTexture(GL_TEXTURE_2D, picture_);
  glPixelStorei(GL_PACK_ALIGNMENT, 4);
  glGetTexImage(GL_TEXTURE_2D, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels.data());
  glBindTexture(GL_TEXTURE_2D, static_cast<unsigned int>(before));
  return pixels;
}

bool StateShader::shares_with(const engine::BackendInfo& backend) {
  return backend.name == "cuda" && draws_where_cuda_computes();
}

}  // namespace app
