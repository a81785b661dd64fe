module hooktool

go 1.22
