// Boost.Asio's TLS, compiled once (see sim/base/asio.cc).
#include <boost/asio/ssl/impl/src.hpp>
