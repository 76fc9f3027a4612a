// Boost.Asio, compiled once instead of in each of the files that use it (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
