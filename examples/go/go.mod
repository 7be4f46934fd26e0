module roadmap

go 1.19
